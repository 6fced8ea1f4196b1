import { fastify } from 'fastify';

/** The fastest of the usual frameworks: a parsed body and an answer, no schema, no log. */
const app = fastify();
app.get('/readyz', () => ({ status: 'ok' }));
app.post('/api/devices/:id/heartbeat', (request) => request.body);
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit());
