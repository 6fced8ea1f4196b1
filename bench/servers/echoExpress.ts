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
app.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit());
