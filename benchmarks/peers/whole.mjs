// The schema of a server that answers everything from one database, and what a request carries.
import { createSchema } from "graphql-yoga";
import { opened } from "./database.mjs";
import * as people from "./people.mjs";
import { scopeOf } from "./scoping.mjs";
import * as work from "./work.mjs";

const sql = opened(process.env.REGISTRY_URL, 16);

export const schema = createSchema({
  typeDefs: [people.types(false), work.types(false)],
  resolvers: [people.resolvers, work.resolvers],
});

export function contextOf(authorization) {
  const scope = scopeOf(authorization);
  return { sql, scope, loaders: { ...people.loaders(sql, scope), ...work.loaders(sql, scope) } };
}
