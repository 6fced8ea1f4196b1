import { IncomingMessage, ServerResponse } from 'node:http';
import type { Express, Request, Response } from 'express';

/**
 * Express gives every request and response its own prototype, which makes V8 treat each as a
 * dictionary and costs more than all the rest. Born with that prototype they stay fast, and the
 * change of prototype changes nothing (docs/adr/0005). Reflect.construct, or a class, would not do:
 * the object has to be made by the constructor that carries the prototype.
 */
export function classesAtBirth(app: Express) {
  // Node's are plain functions, whatever their types say: they fill in the `this` that they are given.
  const fillRequest: Fill = IncomingMessage;
  const fillResponse: Fill = ServerResponse;
  function BornRequest(this: object, ...given: unknown[]) {
    fillRequest.apply(this, given);
  }
  function BornResponse(this: object, ...given: unknown[]) {
    fillResponse.apply(this, given);
  }
  BornRequest.prototype = app.request;
  BornResponse.prototype = app.response;
  return {
    IncomingMessage: BornRequest as unknown as RequestClass,
    ServerResponse: BornResponse as unknown as ResponseClass,
  };
}

type RequestClass = typeof IncomingMessage & (new (...given: unknown[]) => Request);
type ResponseClass = typeof ServerResponse & (new (...given: unknown[]) => Response);

interface Fill {
  apply(self: object, given: unknown[]): void;
}
