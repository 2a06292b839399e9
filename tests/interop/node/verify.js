// aws-jwt-verify, unmodified, judges tokens: each line in is JSON {as, token}, each line out "yes" or the name of its error.
// Its clock stands at the time given as the first argument; the keys and what is expected come as JSON in the second.

import { createInterface } from "node:readline";
import { CognitoJwtVerifier, JwtVerifier } from "aws-jwt-verify";

const [now, told] = process.argv.slice(2);
const { issuer, audience, jwks, pool, client, poolJwks } = JSON.parse(told);
Date.now = () => Number(now) * 1000;

const ordinary = JwtVerifier.create({ issuer, audience, jwksUri: "https://issuer.example/jwks" });
ordinary.cacheJwks(jwks);
const cognito = CognitoJwtVerifier.create({ userPoolId: pool, clientId: client, tokenUse: "access" });
cognito.cacheJwks(poolJwks);

for await (const line of createInterface({ input: process.stdin })) {
  const { as, token } = JSON.parse(line);
  try {
    (as === "cognito" ? cognito : ordinary).verifySync(token);
    process.stdout.write("yes\n");
  } catch (error) {
    process.stdout.write(`${error.constructor.name}\n`);
  }
}
