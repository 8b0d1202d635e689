// Residents and households: a part of one server, or a subgraph of its own.
import { many, one } from "./database.mjs";
import { masked, span } from "./scoping.mjs";

const SEXES = { 1: "MALE", 2: "FEMALE" };

export function types(subgraph) {
  const key = subgraph ? '@key(fields: "key")' : "";
  return `
    type Query {
      resident(idNumber: String!): Resident
      residents(township: String!, first: Int!): Residents!
    }
    enum Sex { MALE FEMALE }
    type Residents { nodes: [Resident!]! }
    type Household { number: String! address: String! members: [Resident!]! }
    type Resident ${key} {
      ${subgraph ? "key: ID! @inaccessible" : ""}
      idNumber: String! name: String! sex: Sex! birthDate: String! household: Household
    }`;
}

export function loaders(sql, [low, high]) {
  return {
    households: one(
      (numbers) => sql`SELECT number, address FROM household
        WHERE number = ANY(${numbers}) AND division >= ${low} AND division < ${high}`,
      "number",
    ),
    members: many(
      (numbers) => sql`SELECT id_number AS key, name, sex, birth_date, household_number
        FROM resident WHERE household_number = ANY(${numbers})
        AND division >= ${low} AND division < ${high} ORDER BY number`,
      "household_number",
    ),
  };
}

export const resolvers = {
  Query: {
    async resident(_, { idNumber }, { sql, scope: [low, high] }) {
      const [found] = await sql`SELECT id_number AS key, name, sex, birth_date, household_number
        FROM resident
        WHERE id_number = ${idNumber} AND division >= ${low} AND division < ${high}`;
      return found ?? null;
    },
    async residents(_, { township, first }, { sql, scope: [low, high] }) {
      const [from, to] = span(township);
      const nodes = await sql`SELECT id_number AS key, name, sex, birth_date, household_number
        FROM resident WHERE division >= ${from} AND division < ${to}
        AND division >= ${low} AND division < ${high} ORDER BY division, number LIMIT ${first}`;
      return { nodes };
    },
  },
  Resident: {
    idNumber: (row) => masked(row.key),
    sex: (row) => SEXES[row.sex],
    birthDate: (row) => row.birth_date,
    household: (row, _, { loaders }) => loaders.households.load(row.household_number),
  },
  Household: {
    members: (row, _, { loaders }) => loaders.members.load(row.number),
  },
};
