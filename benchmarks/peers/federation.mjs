// The document of a part as a subgraph of the second version of Apollo's federation.
import { parse } from "graphql";

const FEDERATION = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@inaccessible"])`;

export function document(part) {
  return parse(FEDERATION + part.types(true));
}
