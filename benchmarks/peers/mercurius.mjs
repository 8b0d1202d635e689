// Mercurius with its JIT on Fastify.
import { mercuriusServer } from "./mercurius_server.mjs";
import { told } from "./listening.mjs";
import { contextOf, schema } from "./whole.mjs";

told(await mercuriusServer(schema, contextOf));
