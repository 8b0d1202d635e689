// Hive Gateway over two subgraphs.
import { createServer } from "node:http";
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { listening } from "./listening.mjs";
import { supergraph } from "./supergraph.mjs";

const gateway = createGatewayRuntime({
  supergraph: await supergraph(),
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({
      authorization: request.headers.get("authorization"),
    }),
  },
  logging: "error",
});
listening(createServer(gateway));
process.on("SIGTERM", () => process.exit()); // the gateway's own handler lets the server go on
