// Two subgraphs started as processes, and the supergraph composed of them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { composeServices } from "@apollo/composition";
import { document } from "./federation.mjs";
import * as people from "./people.mjs";
import * as work from "./work.mjs";

const SUBGRAPH = fileURLToPath(new URL("subgraph.mjs", import.meta.url));

export async function supergraph() {
  const parts = Object.entries({ people, work });
  const services = await Promise.all(
    parts.map(async ([name, part]) => {
      const subgraph = fork(SUBGRAPH, [name]).on("exit", () => process.exit(1));
      const [port] = await once(subgraph, "message");
      return { name, url: `http://127.0.0.1:${port}/graphql`, typeDefs: document(part) };
    }),
  );
  const { supergraphSdl, errors } = composeServices(services);
  if (errors) throw new AggregateError(errors, errors.map(String).join("\n"));
  return supergraphSdl;
}
