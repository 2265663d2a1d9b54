import { z } from '@hono/zod-openapi';
import { plainLine } from '../../../platform/text/visible.ts';

/*
 * The host protocol as it is on the wire.
 */

const MOST_ACKNOWLEDGMENTS = 500;
const LONGEST_WAIT_SECONDS = 30;
const MOST_COMMANDS = 500;
const LONGEST_MESSAGE = 1_024;

const sequence = z
  .int()
  .positive()
  .openapi({ description: 'Number of the command; counts the commands of one host from 1 without gaps.' });
const generation = z.int().nonnegative().openapi({
  description:
    'Rises with every change of an address. A host ignores a command that is older than what it has applied.',
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
  after: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(0)
    .openapi({ description: 'Lists the commands after this sequence.' }),
  wait: z.coerce.number().min(0).max(LONGEST_WAIT_SECONDS).default(0).openapi({
    description: 'Seconds to wait until there is a command.',
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
        description: 'The reason of a failure. Invisible characters, line ends among them, become spaces.',
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
          'recorded: the outcome is stored. repeated: an earlier outcome is stored and stands. ' +
          'unknown: this host has no such command. ' +
          'retry: the outcome is stored, but the waiting operation could not be notified; send it again.',
      }),
    }),
  ),
});

export const desiredStateQuerySchema = z.object({
  failed: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .openapi({ description: 'Whether to list failed commands too, where they are the newest about their address.' }),
});

export const desiredStateSchema = z
  .object({
    host: z.string(),
    sequence: z.int().nonnegative().openapi({ description: 'The last command that this state takes into account.' }),
    attachments: z.array(z.object({ address, generation, droplet_id: z.int(), anchor: z.string() })),
    failed_events: z
      .array(z.object({ sequence, change: z.enum(['attach', 'detach']), address, generation }))
      .optional()
      .openapi({
        description: 'Commands that the host could not carry out, where they are the newest about their address.',
      }),
  })
  .openapi('HostDesiredState');
