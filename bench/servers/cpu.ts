import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms, whatever the kernel's own clock (getconf CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time; NaN where there is no /proc. */
export interface CpuTime {
  /** Of the thread that serves. */
  readonly serving: number;
  /** Of all other threads of the process: the log's writer, the projections, the engine's own. */
  readonly others: number;
}

/** The processor time that a process has used so far. */
export function cpuTime(pid: number): CpuTime {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return { serving: NaN, others: NaN };
  let serving = 0;
  let others = 0;
  for (const thread of readdirSync(tasks)) {
    const text = readFileSync(`${tasks}/${thread}/stat`, 'utf8');
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th after it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    if (Number(thread) === pid) serving += seconds;
    else others += seconds;
  }
  return { serving, others };
}

/** Bytes of memory that a process has resident; NaN where there is no /proc. */
export function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return NaN;
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
