import { appendText } from '#dist/adapters/json/eventText.js';
import { connectWriter, prepareLogFile } from '#dist/adapters/sqlite/logSchema.js';
import { telemetryStream } from '#dist/events/streams.js';
import { measure } from '../harness/child.js';
import { heartbeat, madeDevice } from './events.js';

export interface RawSettings {
  readonly file: string;
  /** Written to in turn. */
  readonly streams: number;
  /** Events between BEGIN and COMMIT. */
  readonly group: number;
  readonly seconds: number;
}

/** How many different events are written again and again: nothing in the file is unique but places. */
const DIFFERENT = 4_096;

/**
 * The limit of SQLite: the log's own file, settings, rows and index, written by a prepared statement
 * in a bare loop, with nobody to answer and nothing to check. Answers events a second.
 */
measure(async ({ file, streams, group, seconds }: RawSettings): Promise<number> => {
  const time = Date.now();
  prepareLogFile(file);
  const db = connectWriter(file);
  const addStream = db.prepare<[string]>('INSERT INTO streams (name) VALUES (?)');
  const devices = Array.from({ length: streams }, (_, index) => madeDevice(index, time).device);
  const written = devices.map(({ deviceId }) => {
    const { lastInsertRowid } = addStream.run(telemetryStream(deviceId, time));
    return { id: Number(lastInsertRowid), revision: -1 };
  });
  const texts = Array.from({ length: Math.max(streams, DIFFERENT) }, (_, index) => {
    const { device } = madeDevice(index, time);
    return appendText('any', [heartbeat(devices[index % streams] ?? device, time)], 'any')
      .events[0];
  });

  // As logWriter.ts writes it.
  const addEvent = db.prepare<[number, number, number, string, string, number, string, string]>(
    "INSERT INTO events VALUES (?, ?, ?, ?, unhex(?, '-'), ?, ?, ?)",
  );
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  let position = 0;
  const began = performance.now();
  const end = began + seconds * 1_000;
  while (performance.now() < end) {
    begin.run();
    for (let nth = 0; nth < group; nth++) {
      const stream = written[position % streams];
      const text = texts[position % texts.length];
      if (stream === undefined || text === undefined) throw new Error('there is nothing to write');
      const [id, type, at, data, metadata] = text;
      position += 1;
      stream.revision += 1;
      addEvent.run(position, stream.id, stream.revision, type, id, at, data, metadata);
    }
    commit.run();
  }
  const perSecond = position / ((performance.now() - began) / 1_000);
  db.close();
  return perSecond;
});
