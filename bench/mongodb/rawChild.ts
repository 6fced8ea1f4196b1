import { definitionOf } from '#dist/adapters/documents/definition.js';
import { connectMongo } from '#dist/adapters/mongodb/connection.js';
import { documentsOf, makeIndexes, toStored } from '#dist/adapters/mongodb/documents.js';
import { yieldToServing } from '#dist/adapters/threads/priority.js';
import { parsePosition, START, type Position } from '#dist/events/envelope.js';
import type { ProjectionBatch } from '#dist/projections/readModels.js';
import { projections } from '#dist/projections/registry.js';
import { measure } from '../harness/child.js';
import type { PreparedLog } from '../log/prepare.js';
import { recordedCommits } from './recorded.js';

export interface RawSettings {
  readonly log: PreparedLog;
  /** Names a database that is not there yet. */
  readonly uri: string;
}

export interface Written {
  /** Heartbeats whose documents were written in a second. */
  readonly perSecond: number;
  /** Processor time of this process for one, in microseconds. */
  readonly cpuUs: number;
  /** Documents written for one. */
  readonly documents: number;
}

/** A bulk write is one call here, however large. */
const PATIENCE_MS = 60_000;

/**
 * The limit of MongoDB and its driver: what folding a log writes, made beforehand to the last byte,
 * written by bare bulk writes without guard or checkpoint into collections with the same indexes.
 */
measure(async ({ log, uri }: RawSettings): Promise<Written> => {
  yieldToServing();
  const commits = await recordedCommits(log);
  const registeredAt = parsePosition(log.registeredAt) ?? START;
  const withRegistrations = commits.findIndex((batches) => reachedBy(batches) >= registeredAt);
  const first = commits[withRegistrations];
  const last = commits.at(-1);
  if (first === undefined || last === undefined || first === last) {
    throw new Error('the log is too short: all of it is one batch');
  }
  const mongo = await connectMongo({ uri, patienceMs: PATIENCE_MS });
  for (const { collection } of projections) {
    await makeIndexes(documentsOf(mongo.db, placeOf(collection)), definitionOf(collection));
  }
  const written = commits.map(documentsIn);
  const write = async (from: number, to: number) => {
    let documents = 0;
    for (const collections of written.slice(from, to)) {
      await Promise.all(
        collections.map(async ({ place, stored }) => {
          const operations = stored.map(({ _id, ...replacement }) => ({
            replaceOne: { filter: { _id }, replacement, upsert: true },
          }));
          await documentsOf(mongo.db, place).bulkWrite(operations, { ordered: false });
          documents += stored.length;
        }),
      );
    }
    return documents;
  };

  await write(0, withRegistrations + 1);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const documents = await write(withRegistrations + 1, written.length);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await mongo.close();
  const events = Number(reachedBy(last) - reachedBy(first));
  return {
    perSecond: events / seconds,
    cpuUs: (user + system) / events,
    documents: documents / events,
  };
});

function reachedBy(batches: readonly ProjectionBatch[]): Position {
  const [first = START, ...others] = batches.map(({ checkpoint }) => checkpoint);
  return others.reduce((least, one) => (one < least ? one : least), first);
}

function documentsIn(batches: readonly ProjectionBatch[]) {
  return batches.flatMap(({ generation, writes }) => {
    const known = projections.find(({ name }) => name === generation.projection);
    if (known === undefined || writes.length === 0) return [];
    const definition = definitionOf(known.collection);
    return [
      {
        place: placeOf(known.collection),
        stored: writes.map((write) => toStored(definition, write)),
      },
    ];
  });
}

function placeOf({ name }: { readonly name: string }) {
  return { collection: name, number: 1 };
}
