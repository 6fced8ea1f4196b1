import type { DomainEvent, Recorded } from '../events/catalog.js';
import type { Collection, Doc } from './readModels.js';

type Of<Type extends DomainEvent['type']> = Extract<Recorded, { readonly type: Type }>;

/** How one event type changes the documents of a projection. */
export interface On<D extends Doc, Event> {
  /** The keys of the documents that it changes; none when it changes nothing. */
  readonly key: (event: Event) => string | readonly string[];
  /**
   * The document after the event; null removes it, the same object leaves it alone. Pure: it never
   * changes what it is given, and an event that doesn't fit what is there leaves it as it is.
   */
  readonly fold: (doc: D | undefined, event: Event, key: string) => D | null | undefined;
}

/**
 * A pure fold of the log into documents. A changed `version` builds it anew beside the old one.
 * Counting needs no care for repeats: the runner never folds an event twice into a document.
 */
export interface Projection<D extends Doc = Doc> {
  readonly name: string;
  readonly version: number;
  readonly collection: Collection;
  readonly on: { readonly [Type in DomainEvent['type']]?: On<D, Of<Type>> };
}

/** A projection as the runner takes it: its documents' type is its own affair. */
export interface AnyProjection {
  readonly name: string;
  readonly version: number;
  readonly collection: Collection;
  readonly types: readonly string[];
  keys(event: Recorded): readonly string[];
  fold(doc: Doc | undefined, event: Recorded, key: string): Doc | null | undefined;
}

/** Makes a projection ready for the runner. */
export function projection<D extends Doc>(definition: Projection<D>): AnyProjection {
  const { name, version, collection } = definition;
  // The map's type ties each handler to its event type; by name at run time that tie can't be followed.
  const on = new Map(
    Object.entries(definition.on as Record<string, On<Doc, Recorded> | undefined>),
  );
  return {
    name,
    version,
    collection,
    types: [...on.keys()],
    keys(event) {
      const keys = on.get(event.type)?.key(event) ?? [];
      return typeof keys === 'string' ? [keys] : keys;
    },
    fold(doc, event, key) {
      const handler = on.get(event.type);
      return handler === undefined ? doc : handler.fold(doc, event, key);
    },
  };
}
