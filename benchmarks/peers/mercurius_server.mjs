// A schema served by Mercurius, compiled at the first use of a text; returns the port.
import fastify from "fastify";
import mercurius from "mercurius";

export async function mercuriusServer(schema, contextOf) {
  const app = fastify({ keepAliveTimeout: 600_000 });
  app.register(mercurius, {
    schema,
    context: (request) => contextOf(request.headers.authorization),
    jit: 1,
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
}
