import { badRequest, unprocessable } from './errors.ts';

/*
 * What customers may send, checked by hand.
 */

/** A request for an address. */
export interface CreateRequest {
  dropletId: number | null;
  region: string | null;
  projectId: string | null;
}

/** What is to be done with an address. */
export type ActionRequest = { type: 'assign'; dropletId: number } | { type: 'unassign' };

const REGION = /^[a-z][a-z0-9-]{0,31}$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Reads the body of a POST to the addresses. Throws the v2 error of what is wrong. */
export function parseCreate(text: string): CreateRequest {
  const { droplet_id: dropletId = null, region = null, project_id: projectId = null } = parseObject(text);
  if (dropletId !== null && !isPositiveInteger(dropletId))
    throw unprocessable('droplet_id must be a positive integer.');
  if (region !== null && !isText(region)) throw unprocessable('region must be a string.');
  if (region !== null && !REGION.test(region)) throw unprocessable('region is invalid or not available.');
  if (projectId !== null && !(isText(projectId) && UUID.test(projectId))) {
    throw unprocessable('project_id must be a UUID.');
  }
  if (dropletId === null && region === null) throw unprocessable('Either droplet_id or region is required.');
  return { dropletId, region, projectId };
}

/** Reads the body of a POST to the actions of an address. Throws the v2 error of what is wrong. */
export function parseAction(text: string): ActionRequest {
  const { type, droplet_id: dropletId } = parseObject(text);
  if (type === 'unassign') return { type };
  if (type !== 'assign') throw unprocessable('type must be one of: assign, unassign.');
  if (dropletId === undefined) throw unprocessable('droplet_id is required.');
  if (!isPositiveInteger(dropletId)) throw unprocessable('droplet_id must be a positive integer.');
  return { type, dropletId };
}

/** Which part of a list is asked for. */
export interface Paging {
  page: number;
  perPage: number;
}

/** Reads the query of a list. Throws the v2 error of what is wrong. */
export function parsePaging(page: string[] = [], perPage: string[] = []): Paging {
  return {
    page: parseNumber('page', page, { least: 1, most: 999_999_999, otherwise: 1 }),
    perPage: parseNumber('per_page', perPage, { least: 1, most: 200, otherwise: 20 }),
  };
}

function parseNumber(
  name: string,
  given: string[],
  bounds: { least: number; most: number; otherwise: number },
): number {
  const { least, most, otherwise } = bounds;
  const [text] = given;
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (given.length > 1) throw unprocessable(`${name} must be given once.`);
  if (!/^\d{1,9}$/.test(text) || number < least || number > most) {
    throw unprocessable(`${name} must be from ${least} to ${most}.`);
  }
  return number;
}

/** An IPv4 address as its bytes; null for what is none. */
export function parseIp(text: string): Buffer | null {
  const octets = text.split('.');
  const valid = octets.length === 4 && octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return valid ? Buffer.from(octets.map(Number)) : null;
}

/** The number of an action in a path; null for what is none. */
export function parseActionId(text: string): number | null {
  const number = Number(text);
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(number) ? number : null;
}

function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw badRequest('Malformed JSON in request body.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw unprocessable('The request body must be an object.');
  }
  return Object.fromEntries(Object.entries(parsed));
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
