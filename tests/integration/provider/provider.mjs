// A login provider on a free loopback port: signs in Ada without asking, and tells its issuer on the first line.
import { webcrypto } from "node:crypto";
import { OAuth2Server } from "oauth2-mock-server";

globalThis.crypto ??= webcrypto; // Node 18, which is Debian 12's, has no such global

const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
server.service.on("beforeTokenSigning", (token) => {
  Object.assign(token.payload, { email: "ada@example.test", email_verified: true, name: "Ada" });
});
await server.start(0, "localhost");
console.log(server.issuer.url);
