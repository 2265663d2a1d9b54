import { z } from '@hono/zod-openapi';
import { plainLine } from '../../../platform/text/visible.ts';

/*
 * The host protocol as it is on the wire.
 */

const MOST_ACKNOWLEDGMENTS = 500;
const LONGEST_WAIT_SECONDS = 30;
const MOST_COMMANDS = 500;
const LONGEST_MESSAGE = 1_024;

const sequence = z.int().positive().openapi({ description: 'Counts the commands of one host from 1 without gaps.' });
const generation = z.int().nonnegative().openapi({
  description: 'Rises with every change of an address. A host ignores what is older than what it has applied.',
});
const address = z.string().openapi({ example: '203.0.113.10' });

const issuedCommandSchema = z
  .object({
    sequence,
    change: z.enum(['attach', 'detach']),
    address,
    generation,
    droplet_id: z.int().nullable().openapi({ description: 'The droplet to attach to; null for a detach.' }),
    anchor: z.string().nullable().openapi({ description: "The droplet's anchor address; null for a detach." }),
    issued_at: z.iso.datetime(),
  })
  .openapi('HostCommand');

export const commandsQuerySchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0).openapi({ description: 'Answers commands after this one.' }),
  wait: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(0).openapi({
    description: 'Seconds to wait for a first command.',
  }),
  limit: z.coerce.number().int().min(1).max(MOST_COMMANDS).default(100),
});

export const commandsAnswerSchema = z.object({ events: z.array(issuedCommandSchema) });

const acknowledgmentSchema = z
  .object({
    sequence,
    generation,
    outcome: z.enum(['applied', 'failed', 'superseded']),
    message: z
      .string()
      .max(LONGEST_MESSAGE)
      .overwrite((text) => plainLine(text))
      .nullish()
      .openapi({
        description: 'Why, when it failed. Characters that are not seen, line ends among them, become spaces.',
      }),
  })
  .openapi('HostAcknowledgment');

export const acknowledgmentsBodySchema = z.object({
  acknowledgments: z.array(acknowledgmentSchema).max(MOST_ACKNOWLEDGMENTS),
});

export const acknowledgmentsAnswerSchema = z.object({
  results: z.array(
    z.object({
      sequence,
      status: z.enum(['recorded', 'repeated', 'unknown', 'retry']).openapi({
        description:
          'recorded: it stands. repeated: an earlier answer stands. unknown: this host has no such command. ' +
          'retry: it stands, but the operation that waits for it could not be told; send it again.',
      }),
    }),
  ),
});

export const desiredStateQuerySchema = z.object({
  failed: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .openapi({ description: 'Whether the newest commands that failed are wanted too.' }),
});

export const desiredStateSchema = z
  .object({
    host: z.string(),
    sequence: z.int().nonnegative().openapi({ description: 'The last command that this takes into account.' }),
    attachments: z.array(z.object({ address, generation, droplet_id: z.int(), anchor: z.string() })),
    failed_events: z
      .array(z.object({ sequence, change: z.enum(['attach', 'detach']), address, generation }))
      .optional()
      .openapi({
        description: 'What the host said it could not do, where it was told nothing newer about the address.',
      }),
  })
  .openapi('HostDesiredState');
