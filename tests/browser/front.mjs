// A front before a server: it writes down what it was asked, and cuts an answer in the middle.
import { once } from "node:events";
import { createServer, request as ask } from "node:http";

// Listens on a free port of the same host; `port` is where the server behind it listens.
export async function startFront(port) {
  const asked = [];
  // Whether an answer is the one to cut, and after how many bytes.
  let cut;

  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const entry = { method, url, range: headers.range, ifRange: headers["if-range"] };
    asked.push(entry);
    const behind = ask({ host: "127.0.0.1", port, method, path: url, headers, agent: false });
    behind.on("response", (answer) => {
      entry.status = answer.statusCode;
      entry.etag = answer.headers.etag;
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      if (cut && cut.fits(entry)) {
        const { after } = cut;
        cut = undefined;
        entry.cut = true;
        stopAfter(after, answer, response);
      } else answer.pipe(response);
    });
    behind.on("error", () => response.destroy());
    response.on("close", () => behind.destroy());
    request.pipe(behind);
  });

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    asked,
    cutOnce(fits, after) {
      cut = { fits, after };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function stopAfter(after, answer, response) {
  let left = after;
  answer.on("data", (chunk) => {
    if (left === 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    response.write(part);
    // As when a proxy on the way is restarted: what was sent arrives, and then nothing.
    if (left === 0) response.socket.end();
  });
}
