// Serves on any port of 127.0.0.1 and tells it on standard output, as benchmarks/listening.py does.
export function listening(server) {
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1", () => told(server.address().port));
}

export function told(port) {
  console.log(`serving http://127.0.0.1:${port}`);
}
