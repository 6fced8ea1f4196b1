import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The child's last words: what it measured, or what went wrong. */
type Answer = { readonly result: unknown } | { readonly error: string };

/**
 * Measures in a process of its own, so that no measurement inherits another's heap, threads or
 * half-compiled code. The entry calls `measure`.
 * @throws Error with what the child said went wrong
 */
export async function inChild<Result>(
  entry: URL,
  settings: object,
  nodeOptions: readonly string[] = [],
): Promise<Result> {
  const child = fork(fileURLToPath(entry), { execArgv: [...nodeOptions] });
  const answered = new Promise<Answer>((resolve) => {
    // What `measure` sends.
    child.once('message', (message) => resolve(message as Answer));
    child.once('exit', (code) => resolve({ error: `ended with code ${code ?? 'of a signal'}` }));
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.send(settings);
  const answer = await answered;
  await exited;
  if ('error' in answer) throw new Error(`${entry.pathname}: ${answer.error}`);
  // What the entry's `run` answers.
  return answer.result as Result;
}

/** In a child: measures once with the settings that the parent sent, answers and ends. */
export function measure(run: (settings: never) => Promise<unknown>): void {
  process.once('message', (settings) => {
    void answer(settings as never);
  });

  async function answer(settings: never): Promise<void> {
    let last: Answer;
    try {
      last = { result: await run(settings) };
    } catch (error) {
      last = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(last, () => process.disconnect());
  }
}
