import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  readonly cores: string;
  readonly memory: string;
  readonly node: string;
  readonly kernel: string;
  /** The kind of file system that is written to: on one in memory an fsync costs nothing. */
  readonly files: string;
  readonly commit: string;
}

/**
 * @param repository a folder in it
 * @param data the folder that is written to
 */
export function machine(repository: string, data: string): Machine {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  return {
    cores: `${availableParallelism()} × ${model}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    node: process.version,
    kernel: `${type()} ${release()}`,
    files: said('stat', ['-f', '-c', '%T', data]) ?? 'unknown',
    commit: commitOf(repository),
  };
}

function commitOf(repository: string): string {
  const commit = said('git', ['-C', repository, 'rev-parse', '--short', 'HEAD']);
  if (commit === undefined) return 'not in a repository';
  const changes = said('git', ['-C', repository, 'status', '--porcelain']);
  return changes === '' ? commit : `${commit}, with changes`;
}

/** What a command says; undefined when there is none or it fails. */
function said(command: string, words: readonly string[]): string | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync(command, words, { encoding: 'utf8', stdio: [...stdio] }).trim();
  } catch {
    return undefined;
  }
}
