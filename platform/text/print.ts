import { Command } from 'commander';
import { z } from 'zod';
import { ReadableError } from './readable-error.ts';
import { shown, visible, visibleJson, visibleLines } from './visible.ts';

/*
 * The only way to standard output and standard error of every command and process: nothing else in the project calls
 * `console` or writes to these streams, which the linter and test/security/terminal-output check.
 */

/** Prints text that is laid out; what is in its values must be visible already, so that none makes a line of its own. */
export function print(text: string): void {
  console.log(visibleLines(text));
}

/** Prints a document for scripts. */
export function printJson(document: unknown): void {
  print(visibleJson(JSON.stringify(document, null, 2)));
}

/** Prints a document as one line for the process that started this one. */
export function printJsonLine(document: unknown): void {
  print(visibleJson(JSON.stringify(document)));
}

/** Prints to standard error what a person has to know. */
export function printError(text: string): void {
  console.error(visibleLines(text));
}

/** Resolves when whoever reads them has all that was printed, of which the end of the process would cut off the rest. */
export async function printedToTheEnd(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}

/** The command line of this process: its help and errors, caught or not, are printed as everything else is. */
export function commandLine(name: string): Command {
  printUncaughtErrors();
  return new Command(name).configureOutput({
    writeOut: (text) => process.stdout.write(visibleLines(text)),
    writeErr: (text) => process.stderr.write(visibleLines(text)),
    outputError: (text, write) => write(withVisibleArguments(text)),
  });
}

/** An error may repeat an argument, whose line ends are not those of the error. */
function withVisibleArguments(text: string): string {
  const given = process.argv.slice(2).flatMap((argument) => [argument, argument.slice(argument.indexOf('=') + 1)]);
  const broken = given.filter((argument) => argument.includes('\n'));
  return broken.reduce((rest, argument) => rest.replaceAll(argument, visible(argument)), text);
}

/** How Node reports a file that cannot be used. */
const fileErrorSchema = z.object({ code: z.string(), syscall: z.string(), path: z.string(), message: z.string() });

/**
 * What is printed when a process ends by an error: the message alone where it says what to do, and one line that names
 * the file where a file cannot be used; every other error with its stack.
 */
export function describeFailure(error: unknown): string {
  if (error instanceof ReadableError) return error.message;
  const file = fileErrorSchema.safeParse(error).data;
  if (file === undefined) return describeError(error);
  const reason = file.message.replace(/, \w+ .*$/s, '');
  return shown`${file.path} cannot be used: ${file.syscall}: ${reason}`;
}

/** An error with its stack and its causes. A message is one line, whatever is in it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return visible(String(error));
  const headline = error.message === '' ? error.name : `${error.name}: ${visible(error.message)}`;
  const lines = [headline, ...framesOf(error)];
  if (error instanceof AggregateError) lines.push(...error.errors.map((inner) => indent(describeError(inner))));
  if (error.cause !== undefined) lines.push(indent(`caused by ${describeError(error.cause)}`));
  return lines.join('\n');
}

/** Has what nobody catches end the process as Node does, but printed by {@link describeFailure}. */
export function printUncaughtErrors(): void {
  process.on('uncaughtException', (error) => {
    printError(describeFailure(error));
    process.exit(1);
  });
}

/** The stack repeats the message, as it was when the error was made, and so it is found by its length. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  if (start === -1) return [visible(stack)];
  const frames = stack.slice(start + message.length).split('\n');
  return frames.filter((line) => line.trim() !== '').map((line) => `    ${visible(line.trim())}`);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
