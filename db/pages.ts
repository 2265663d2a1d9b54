/** Which part of a list is asked for. */
export interface PageRequest {
  /** From 1. */
  page: number;
  perPage: number;
}

/** One page of a list, and how many entries the whole list has. */
export interface Page<Entry> {
  entries: Entry[];
  total: number;
}

/** Reads one page; a page past the end costs no second query. */
export async function readPage<Entry>(
  { page, perPage }: PageRequest,
  count: () => Promise<number>,
  read: (limit: number, offset: number) => Promise<Entry[]>,
): Promise<Page<Entry>> {
  const total = await count();
  const offset = (page - 1) * perPage;
  return { total, entries: offset < total ? await read(perPage, offset) : [] };
}
