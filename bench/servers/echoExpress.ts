import { readFileSync } from 'node:fs';
import express from 'express';

/** What many would start with: express as it comes, a parsed body and an answer. */
const app = express();
app.use(express.json());
app.get('/readyz', (_request, response) => {
  response.json({ status: 'ok' });
});
app.post('/api/devices/:id/heartbeat', (request, response) => {
  response.json(request.body);
});

/** The devices that it answers from its memory, as a server under test answered them. */
const kept = process.env.DEVICES_FILE;
const devices = new Map<string, object>(
  kept === undefined ? [] : Object.entries(JSON.parse(readFileSync(kept, 'utf8')) as object),
);
app.get('/api/devices/:id', (request, response) => {
  response.json(devices.get(request.params.id));
});
app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit());
