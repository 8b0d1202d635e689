// PostGraphile with row-level security: every request runs as the role `clerk` with its own range.
import { createServer } from "node:http";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";
import { listening } from "./listening.mjs";
import { scopeOf } from "./scoping.mjs";

// PostGraphile asks for Node 22; of what that has over Node 20 this is all it uses.
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.REGISTRY_URL.replace("+asyncpg", ""),
      schemas: ["public", "clerk"],
      pubsub: false,
      poolConfig: { max: 16 },
    }),
  ],
  grafast: {
    context({ node }) {
      const [low, high] = scopeOf(node.req.headers.authorization);
      return { pgSettings: { role: "clerk", "clerk.low": low, "clerk.high": high } };
    },
  },
  grafserv: { graphqlPath: "/graphql", watch: false, graphiql: false },
};
const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
listening(server);
