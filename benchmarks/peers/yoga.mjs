// graphql-yoga over node:http.
import { createServer } from "node:http";
import { createYoga } from "graphql-yoga";
import { listening } from "./listening.mjs";
import { contextOf, schema } from "./whole.mjs";

const yoga = createYoga({
  schema,
  context: ({ request }) => contextOf(request.headers.get("authorization")),
  graphiql: false,
  landingPage: false,
  logging: "warn",
});
listening(createServer(yoga));
