// Cases and matters: a part of one server, or a subgraph of its own.
import { many, one } from "./database.mjs";
import { span } from "./scoping.mjs";

export function types(subgraph) {
  const key = subgraph ? '@key(fields: "key")' : "";
  return `
    extend type Query { aggregate: Aggregates! matters(first: Int!): Matters! }
    enum CaseStatus { ACCEPTED SUSPENDED APPROVED REJECTED CLOSED }
    type Matter { code: String! name: String! }
    type Matters { nodes: [Matter!]! }
    type Case { number: String! status: CaseStatus! matter: Matter }
    type Cases { nodes: [Case!]! }
    type Key { value: String! }
    type CaseGroup { keys: [Key!]! count: Int! }
    type CaseAggregate { groups: [CaseGroup!]! }
    type Aggregates { cases(township: String!): CaseAggregate! }
    extend type Resident ${key} {
      ${subgraph ? "key: ID! @inaccessible" : ""}
      cases(first: Int!): Cases!
    }`;
}

export function loaders(sql, [low, high]) {
  return {
    cases: many(
      (owners) => sql`SELECT number, status, matter_code, applicant_id_number FROM case_file
        WHERE applicant_id_number = ANY(${owners})
        AND division >= ${low} AND division < ${high} ORDER BY number`,
      "applicant_id_number",
    ),
    matters: one(
      (codes) => sql`SELECT code, name FROM matter WHERE code = ANY(${codes})`,
      "code",
    ),
  };
}

export const resolvers = {
  Query: {
    aggregate: () => ({}),
    matters: async (_, { first }, { sql }) => ({
      nodes: await sql`SELECT code, name FROM matter ORDER BY code LIMIT ${first}`,
    }),
  },
  Aggregates: {
    async cases(_, { township }, { sql, scope: [low, high] }) {
      const [from, to] = span(township);
      const rows = await sql`SELECT matter_code, status, count(*)::int AS count FROM case_file
        WHERE division >= ${from} AND division < ${to}
        AND division >= ${low} AND division < ${high}
        GROUP BY matter_code, status ORDER BY matter_code, status`;
      return {
        groups: rows.map((row) => ({
          keys: [{ value: row.matter_code }, { value: row.status }],
          count: row.count,
        })),
      };
    },
  },
  Resident: {
    cases: async (row, { first }, { loaders }) => ({
      nodes: (await loaders.cases.load(row.key)).slice(0, first),
    }),
  },
  Case: {
    matter: (row, _, { loaders }) => loaders.matters.load(row.matter_code),
  },
};

export const subgraphResolvers = {
  ...resolvers,
  Resident: { ...resolvers.Resident, __resolveReference: ({ key }) => ({ key }) },
};
