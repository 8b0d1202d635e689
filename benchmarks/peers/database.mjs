// One pool, and the loaders that fetch many keys of a request with one statement.
import DataLoader from "dataloader";
import postgres from "postgres";

const asWritten = { to: 1082, from: [1082], serialize: (day) => day, parse: (day) => day };

export function opened(url, connections) {
  const address = url.replace("+asyncpg", "");
  return postgres(address, { max: connections, types: { date: asWritten } });
}

export function one(fetched, key) {
  return new DataLoader(async (keys) => {
    const found = new Map((await fetched(keys)).map((row) => [row[key], row]));
    return keys.map((each) => found.get(each) ?? null);
  });
}

export function many(fetched, key) {
  return new DataLoader(async (keys) => {
    const found = new Map(keys.map((each) => [each, []]));
    for (const row of await fetched(keys)) found.get(row[key]).push(row);
    return keys.map((each) => found.get(each));
  });
}
