const ROOT = new URL('../../', import.meta.url);

/**
 * Where a thread's entry file lies as JavaScript: `file` is relative to the caller, whose
 * `import.meta.url` is given. Node 20 can't load TypeScript into a worker thread, so a caller that
 * runs from src/ (Jest) gets the built file under dist/.
 */
export function threadFile(callerUrl: string, file: string): URL {
  const wanted = new URL(file, callerUrl);
  if (!callerUrl.endsWith('.ts')) return wanted;
  return new URL(`../dist/${wanted.href.slice(ROOT.href.length)}`, ROOT);
}
