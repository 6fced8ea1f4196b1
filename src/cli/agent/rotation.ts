import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { factsAt, orMissing, type FileFacts } from './openFile.js';

/** A file in the folder of a followed one, under a name that begins with its name. */
export interface Sibling extends FileFacts {
  readonly path: string;
  /** What its name has behind the followed one's: '' for the followed one itself. */
  readonly suffix: string;
}

/** Where reading goes on after a file that is written no more. */
export interface Successor {
  readonly file: Sibling;
  /** Why lines between the two are lost; undefined when none are. */
  readonly lost: string | undefined;
}

interface Rotated extends Sibling {
  /** `app.log.1`, and not by date. */
  readonly isNumbered: boolean;
  readonly numbers: readonly number[];
  readonly isCompressed: boolean;
}

/** `.1` and `-20240131` and `.2024-01-31_15.2`, also compressed; a `.bak` is none of the log's. */
const ROTATED = /^[._-](\d[\d._:TZ+-]*?)(\.(?:gz|bz2|xz|zst|lz4|Z))?$/;

const NUMBERED = /^\d{1,5}$/;

/** The least that a date is written with, as in 240131. */
const DATE_DIGITS = 6;

/**
 * The followed file and those that its rotation may have made of it; undefined while a rotation is
 * under way, when some go by their old names and some by their new ones.
 */
export function siblingsOf(path: string): readonly Sibling[] | undefined {
  const siblings = listed(path);
  return placesOf(siblings) === placesOf(listed(path)) ? siblings : undefined;
}

/**
 * The file that was begun when the given one was rotated: by their numbers, or else by the times of
 * their last writing, or by their names where those are the same. A file that has no name any more
 * (it is compressed, or deleted and still open) lies before all that were written later. The followed
 * file itself comes last, and not before it holds something: until then the old one may still be
 * written.
 */
export function successorOf(
  { inode, mtime }: Pick<FileFacts, 'inode' | 'mtime'>,
  siblings: readonly Sibling[],
): Successor | undefined {
  const current = siblings.find(({ suffix }) => suffix === '');
  const rotated = rotatedAmong(siblings);
  const here = rotated.find((one) => one.inode === inode);
  const newer = rotated
    .slice(here === undefined ? 0 : rotated.indexOf(here) + 1)
    .filter((one) => (here !== undefined || one.mtime > mtime) && one.inode !== current?.inode);
  const next = newer.findIndex(({ isCompressed }) => !isCompressed);
  const unreadable = next < 0 ? newer : newer.slice(0, next);
  const file = newer[next] ?? (current !== undefined && current.size > 0 ? current : undefined);
  if (file === undefined) return undefined;
  const [first] = unreadable;
  if (first === undefined) return { file, lost: gapAfter(here, rotated) };
  return { file, lost: `${basename(first.path)} is compressed and can't be read` };
}

function listed(path: string): readonly Sibling[] {
  const [folder, name] = [dirname(path), basename(path)];
  const names = orMissing(() => readdirSync(folder)) ?? [];
  return names
    .filter((one) => one.startsWith(name))
    .toSorted()
    .flatMap((one) => {
      const facts = factsAt(join(folder, one));
      return facts ? [{ path: join(folder, one), suffix: one.slice(name.length), ...facts }] : [];
    });
}

function placesOf(siblings: readonly Sibling[]): string {
  return siblings.map(({ path, inode }) => `${path} ${inode}`).join('\n');
}

/** Oldest first. */
function rotatedAmong(siblings: readonly Sibling[]): readonly Rotated[] {
  const paths = new Set(siblings.map(({ path }) => path));
  const rotated = siblings.flatMap(asRotated(paths));
  const numbered = rotated
    .filter(({ isNumbered }) => isNumbered)
    .toSorted((a, b) => compared(a.numbers, b.numbers));
  if (doNumbersGrow(numbered)) return rotated.toSorted(byAge);
  const others = rotated.filter(({ isNumbered }) => !isNumbered);
  return [...others, ...timedByNumber(numbered)].toSorted(byAge);
}

/** Some count upwards. Two files alone don't show it: the older may have been written late. */
function doNumbersGrow(numbered: readonly Rotated[]): boolean {
  const isLater = (one: Rotated, index: number) => one.mtime > (numbered[index - 1]?.mtime ?? -1);
  return numbered.length > 2 && numbered.every(isLater);
}

/**
 * A process that still holds `app.log.2` may write to it later than `.1` was written: it counts as no
 * younger than that, so that the numbers decide.
 */
function timedByNumber(numbered: readonly Rotated[]): readonly Rotated[] {
  let youngest = Infinity;
  return numbered.map((one) => {
    youngest = Math.min(youngest, one.mtime);
    return { ...one, mtime: youngest };
  });
}

function asRotated(paths: ReadonlySet<string>) {
  return (sibling: Sibling): readonly Rotated[] => {
    const [, stamp, ending] = ROTATED.exec(sibling.suffix) ?? [];
    if (stamp === undefined) return [];
    const isNumbered = NUMBERED.test(stamp);
    if (!isNumbered && stamp.replace(/\D/g, '').length < DATE_DIGITS) return [];
    // While a file is being compressed both are there.
    if (ending !== undefined && paths.has(sibling.path.slice(0, -ending.length))) return [];
    const numbers = (stamp.match(/\d+/g) ?? []).map(Number);
    return [{ ...sibling, isNumbered, numbers, isCompressed: ending !== undefined }];
  };
}

/** A higher number is an older file, and a higher date a newer one. */
function byAge(a: Rotated, b: Rotated): number {
  if (a.mtime !== b.mtime) return a.mtime - b.mtime;
  if (a.isNumbered !== b.isNumbered) return a.isNumbered ? 1 : -1;
  const order = compared(a.numbers, b.numbers);
  return a.isNumbered ? -order : order;
}

function compared(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}

/** Numbers are given without a gap, from 0 or 1: one that is missing has been taken away. */
function gapAfter(here: Rotated | undefined, rotated: readonly Rotated[]): string | undefined {
  const [number = 0] = here?.numbers ?? [];
  if (here?.isNumbered !== true || number < 2) return undefined;
  const isThere = rotated.some((one) => one.isNumbered && one.numbers[0] === number - 1);
  return isThere ? undefined : `the file that came after ${basename(here.path)} is gone`;
}
