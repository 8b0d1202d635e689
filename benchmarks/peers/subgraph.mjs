// One of two subgraphs, a process of its own that ends with its gateway: node subgraph.mjs people|work.
import { buildSubgraphSchema } from "@apollo/subgraph";
import { opened } from "./database.mjs";
import { document } from "./federation.mjs";
import { mercuriusServer } from "./mercurius_server.mjs";
import * as people from "./people.mjs";
import { scopeOf } from "./scoping.mjs";
import * as work from "./work.mjs";

const name = process.argv[2];
const part = { people, work }[name];
const url = { people: process.env.PEOPLE_URL, work: process.env.WORK_URL }[name];
const sql = opened(url, 8);
const schema = buildSubgraphSchema([
  { typeDefs: document(part), resolvers: part.subgraphResolvers ?? part.resolvers },
]);

function contextOf(authorization) {
  const scope = scopeOf(authorization);
  return { sql, scope, loaders: part.loaders(sql, scope) };
}

process.on("disconnect", () => process.exit());
process.send(await mercuriusServer(schema, contextOf));
