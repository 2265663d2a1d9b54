import { isUtf8 } from 'node:buffer';
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

const REGION = /^[a-z][a-z0-9-]*$/;
const LONGEST_REGION = 32;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Reads the body of a POST to the addresses. Throws the v2 error of what is wrong. */
export function parseCreate(body: ArrayBuffer): CreateRequest {
  const { droplet_id: dropletId = null, region = null, project_id: projectId = null } = parseObject(body);
  const request = {
    dropletId: dropletId === null ? null : parseDropletId(dropletId),
    region: region === null ? null : parseRegion(region),
    projectId: projectId === null ? null : parseProjectId(projectId),
  };
  if (dropletId === null && region === null) throw unprocessable('Either droplet_id or region is required.');
  return request;
}

/** Reads the body of a POST to the actions of an address. Throws the v2 error of what is wrong. */
export function parseAction(body: ArrayBuffer): ActionRequest {
  const { type, droplet_id: dropletId } = parseObject(body);
  if (type === 'unassign') return { type };
  if (type !== 'assign') throw unprocessable('type must be one of: assign, unassign.');
  if (dropletId === undefined) throw unprocessable('droplet_id is required.');
  return { type, dropletId: parseDropletId(dropletId) };
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

function parseObject(body: ArrayBuffer): Record<string, unknown> {
  if (!isUtf8(body)) throw badRequest('The request body is not UTF-8.');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw badRequest('Malformed JSON in request body.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw unprocessable('The request body must be an object.');
  }
  return Object.fromEntries(Object.entries(parsed));
}

function parseDropletId(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unprocessable('droplet_id must be an integer.');
  if (value < 1) throw unprocessable('droplet_id must be a positive integer.');
  return value;
}

function parseRegion(value: unknown): string {
  if (typeof value !== 'string') throw unprocessable('region must be a string.');
  if (value === '') throw unprocessable('region must not be empty.');
  if (value.length > LONGEST_REGION) throw unprocessable(`region must have ${LONGEST_REGION} characters at most.`);
  if (!REGION.test(value)) throw unprocessable('region is invalid or not available.');
  return value;
}

function parseProjectId(value: unknown): string {
  if (typeof value !== 'string' || !UUID.test(value)) throw unprocessable('project_id must be a UUID.');
  return value;
}
