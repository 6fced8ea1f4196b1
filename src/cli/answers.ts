import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { UnexpectedAnswer } from './errors.js';

/** What the client needs of the server's answers; members it does not know are left alone. */

const Text = Type.String({ minLength: 1 });

export const TokensAnswer = Type.Object({
  accessToken: Text,
  refreshToken: Text,
  /** Seconds. */
  expiresIn: Type.Number({ exclusiveMinimum: 0 }),
});
export type TokensAnswer = Static<typeof TokensAnswer>;

export const CreatedAnswer = Type.Object({ id: Text });

export const DeviceTokenAnswer = Type.Object({ token: Text });

export const DevicesAnswer = Type.Object({
  items: Type.Array(Type.Object({ id: Text })),
  nextCursor: Type.Union([Text, Type.Null()]),
});

export const BatchAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      /** 1-based. */
      line: Type.Integer({ minimum: 1 }),
      status: Type.Integer(),
      code: Type.Optional(Type.String()),
      detail: Type.Optional(Type.String()),
      deviceId: Type.Optional(Type.String()),
    }),
  ),
});

/** Makes a check of one answer's shape. The check throws UnexpectedAnswer. */
export function expecting<Schema extends TSchema>(what: string, schema: Schema) {
  const validator = Compile(schema);
  return (answer: unknown): Static<Schema> => {
    if (validator.Check(answer)) return answer;
    throw new UnexpectedAnswer(`the server's answer is not ${what}; is it a Fleetbook server?`);
  };
}
