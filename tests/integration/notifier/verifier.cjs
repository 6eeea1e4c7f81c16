// A receiver as a unit might write it: the official library of Standard Webhooks decides.
// argv: folder of the package, secret. Prints its port, then one line of JSON for each request.
const http = require("node:http");
const { createRequire } = require("node:module");
const { Webhook } = createRequire(process.argv[2] + "/")("standardwebhooks");
const webhook = new Webhook(process.argv[3]);

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    let line;
    try {
      const payload = webhook.verify(Buffer.concat(parts), request.headers);
      line = { verified: true, id: request.headers["webhook-id"], subject: payload.data.subject };
    } catch (error) {
      line = { verified: false, error: error.message };
    }
    process.stdout.write(JSON.stringify(line) + "\n");
    // The first that is verified is refused for now, so that it comes again.
    const busy = line.verified && !server.refused;
    server.refused = server.refused || busy;
    response.writeHead(busy ? 503 : line.verified ? 204 : 401).end();
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(server.address().port + "\n"));
