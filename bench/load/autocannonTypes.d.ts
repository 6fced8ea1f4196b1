/** The part of autocannon that is used here; it brings no types of its own. */
declare module 'autocannon' {
  interface Client {
    setRequests(requests: readonly object[]): void;
  }

  interface Result {
    readonly duration: number;
    readonly '2xx': number;
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  }

  export default function autocannon(options: {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly requests: readonly object[];
    readonly setupClient: (client: Client) => void;
  }): Promise<Result>;
}
