import type { Static, TSchema } from 'typebox';

/** Turns the data of one schema version into that of the next. Pure, and total over its version. */
export type Upcaster = (data: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** One event type: what its data looks like today, and how older data becomes that. */
export interface EventDefinition<Type extends string = string, Schema extends TSchema = TSchema> {
  readonly type: Type;
  /** The version that is written today: one more than the number of upcasters. */
  readonly version: number;
  readonly description: string;
  readonly schema: Schema;
  /** `upcasters[0]` turns version 1 into 2, and so on. */
  readonly upcasters: readonly Upcaster[];
}

/** Defines an event type; its version follows from the upcasters given. */
export function defineEvent<const Type extends string, Schema extends TSchema>(
  type: Type,
  description: string,
  schema: Schema,
  upcasters: readonly Upcaster[] = [],
): EventDefinition<Type, Schema> {
  return { type, version: upcasters.length + 1, description, schema, upcasters };
}

/** What a decider returns and a fold takes: the type and the data of one of the definitions given. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Schema>
    ? { readonly type: Type; readonly data: Static<Schema> }
    : never;
