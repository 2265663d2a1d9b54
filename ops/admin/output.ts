import { print, printJson } from '../../platform/text/print.ts';
import { type Cell, formatTable } from './table.ts';

/** Prints what a command found: the document itself, or what people read, in which values are visible already. */
export type Print = (document: unknown, text: string) => void;

/** A printer for `--json`, or for people. */
export function printer(json: boolean): Print {
  return (document, text) => (json ? printJson(document) : print(text));
}

/** A column of a table: its heading, and what stands in it. */
export type Columns<Row> = Record<string, (row: Row) => Cell>;

/** A table of rows, or a word that there are none. */
export function tableOf<Row>(rows: Row[], columns: Columns<Row>): string {
  if (rows.length === 0) return 'none';
  const cells = Object.values(columns);
  return formatTable(
    Object.keys(columns),
    rows.map((row) => cells.map((cell) => cell(row))),
  );
}
