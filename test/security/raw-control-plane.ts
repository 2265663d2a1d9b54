import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { useHttpServer } from '../support/http-server.ts';
import { acknowledgmentsSchema } from '../support/scripted-control-plane.ts';

type Answering = (response: ServerResponse, request: IncomingMessage) => void;

/** A control plane that says anything at all: events and desired states are JSON text, or no JSON. */
export class RawControlPlane {
  url = '';
  /** JSON text of one event each. Those whose sequence is acknowledged are answered no more. */
  events: string[] = [];
  /** Answered instead of an empty desired state. */
  desired = JSON.stringify({ host: 'raw', sequence: 0, attachments: [] });
  /** Answers requests for the desired state or for events in its own way; null for none. */
  answering: { path: string; answer: Answering } | null = null;
  /** From now on requests of this path are answered in this way; answers how many have come. */
  answer(path: string, answer: Answering): () => number {
    let count = 0;
    this.answering = {
      path,
      answer: (response, request) => {
        count++;
        answer(response, request);
      },
    };
    return () => count;
  }

  readonly acknowledged: z.infer<typeof acknowledgmentsSchema>['acknowledgments'] = [];
  polls = 0;

  /** The outcome that the host reported for a command. */
  outcomeOf(sequence: number) {
    return this.acknowledged.findLast((one) => one.sequence === sequence);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control-plane');
    if (this.answering && pathname === this.answering.path) return this.answering.answer(response, request);
    if (pathname === '/host/v1/desired-state') return send(response, this.desired);
    if (pathname === '/host/v1/events') {
      this.polls++;
      const after = Number(searchParams.get('after'));
      const deadline = Date.now() + Number(searchParams.get('wait')) * 1_000;
      while (this.#open(after).length === 0 && Date.now() < deadline && !response.destroyed) await sleep(5);
      return send(response, `{"events":[${this.#open(after).join(',')}]}`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { acknowledgments } = acknowledgmentsSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    this.acknowledged.push(...acknowledgments);
    const results = acknowledgments.map(({ sequence }) => ({ sequence, status: 'recorded' }));
    send(response, JSON.stringify({ results }));
  }

  /** Those after a sequence, and those that have none: a hostile control plane repeats them for ever. */
  #open(after: number): string[] {
    return this.events.filter((text) => {
      const sequence = sequenceOf(text);
      return sequence === null || (sequence > after && this.outcomeOf(sequence) === undefined);
    });
  }
}

function sequenceOf(text: string): number | null {
  return z.object({ sequence: z.int() }).safeParse(JSON.parse(text)).data?.sequence ?? null;
}

function send(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(text);
}

/** A raw control plane of the running test. */
export async function useRawControlPlane(): Promise<RawControlPlane> {
  const controlPlane = new RawControlPlane();
  controlPlane.url = await useHttpServer((request, response) => {
    void controlPlane.handle(request, response).catch(() => response.destroy());
  });
  return controlPlane;
}
