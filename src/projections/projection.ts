import type { DomainEvent, Recorded } from '../events/catalog.js';
import type { Collection, Doc } from './readModels.js';

/** An event as folds see it: who caused it is none of their business, and memory until it is folded. */
export type Told = WithoutMetadata<Recorded>;
type WithoutMetadata<Event> = Event extends Recorded ? Omit<Event, 'metadata'> : never;

type Of<Type extends DomainEvent['type']> = Extract<Told, { readonly type: Type }>;

/**
 * How one event type changes the documents of a projection. Folds are pure: they never change what
 * they are given, and an event that doesn't fit what is there leaves it as it is.
 */
export type On<D extends Doc, Event> = FoldsOne<D, Event> | FoldsRuns<D, Event>;

interface Keyed<Event> {
  /** The keys of the documents that it changes; none when it changes nothing. */
  readonly key: (event: Event) => string | readonly string[];
}

interface FoldsOne<D extends Doc, Event> extends Keyed<Event> {
  /** The document after the event; null removes it, the same object leaves it alone. */
  readonly fold: (doc: D | undefined, event: Event, key: string) => D | null | undefined;
}

/** Events of one type that come one after the other; at least one. */
export type Run<Event> = readonly [Event, ...Event[]];

/** For events that come in numbers: one copy of the document for a run of them, not one for each. */
interface FoldsRuns<D extends Doc, Event> extends Keyed<Event> {
  /** The document after the events: what folding each in turn gives. */
  readonly foldAll: (doc: D | undefined, events: Run<Event>, key: string) => D | null | undefined;
}

/**
 * A pure fold of the log into documents. A changed `version` builds it anew beside the old one.
 * Counting needs no care for repeats: the runner never folds an event twice into a document.
 */
export interface Projection<D extends Doc = Doc> {
  readonly name: string;
  readonly version: number;
  readonly collection: Collection;
  /**
   * What answers that show this document are tagged with in a cache: as it stands now, and as it
   * stood before. A projection that names no tags can't be read through a cache.
   */
  readonly tags?: (key: string, doc: D) => readonly string[];
  /** About how many bytes of memory its largest documents take, where that is much: fewer are at hand at once. */
  readonly largest?: number;
  /** Whether each of its documents is made by one event and never changes: none is kept at hand. */
  readonly unchanging?: boolean;
  readonly on: { readonly [Type in DomainEvent['type']]?: On<D, Of<Type>> };
}

/** A projection as the runner takes it: its documents' type is its own affair. */
export interface AnyProjection {
  readonly name: string;
  readonly version: number;
  readonly collection: Collection;
  readonly types: readonly string[];
  readonly largest?: number | undefined;
  readonly unchanging?: boolean | undefined;
  tags(key: string, doc: Doc): readonly string[];
  keys(event: Told): string | readonly string[];
  /** The document after the events, in their order; undefined when there is none. */
  fold(doc: Doc | undefined, events: readonly Told[], key: string): Doc | undefined;
}

/** Makes a projection ready for the runner. */
export function projection<D extends Doc>(definition: Projection<D>): AnyProjection {
  const { name, version, collection, largest, unchanging } = definition;
  // The map's type ties each handler to its event type; by name at run time that tie can't be followed.
  const on = new Map(Object.entries(definition.on as Record<string, On<Doc, Told> | undefined>));
  return {
    name,
    version,
    collection,
    types: [...on.keys()],
    largest,
    unchanging,
    // The runner hands a projection its own documents alone.
    tags: definition.tags ?? noTags,
    keys: (event) => on.get(event.type)?.key(event) ?? [],
    fold(doc, events, key) {
      let after = doc;
      for (const run of runsOf(events)) {
        const handler = on.get(run[0].type);
        if (handler === undefined) continue;
        if ('foldAll' in handler) after = handler.foldAll(after, run, key) ?? undefined;
        else for (const event of run) after = handler.fold(after, event, key) ?? undefined;
      }
      return after;
    },
  };
}

const noTags = (): readonly string[] => [];

/** The tag of answers that show one document of a collection. */
export function documentTag(collection: string, key: string): string {
  return `${collection}/${key}`;
}

/** The tag of answers that search a collection within a scope: an organization's id, or EVERYONE. */
export function scopeTag(collection: string, scope: string): string {
  return `${collection}@${scope}`;
}

/** The scope of the whole installation, where an organization's id would be. */
export const EVERYONE = 'all';

let lastScope = { collection: '', scope: '', tags: [''] };

/** The tags of what is searched in a scope, and in the whole installation: those asked for before are the same list. */
export function scopeTags(collection: string, scope: string): readonly string[] {
  if (collection !== lastScope.collection || scope !== lastScope.scope) {
    const tags = [scopeTag(collection, scope), scopeTag(collection, EVERYONE)];
    lastScope = { collection, scope, tags };
  }
  return lastScope.tags;
}

function runsOf(events: readonly Told[]): readonly Run<Told>[] {
  const [first] = events;
  if (first !== undefined && events.length === 1) return [[first]];
  const runs: [Told, ...Told[]][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0].type === event.type) run.push(event);
    else runs.push([event]);
  }
  return runs;
}
