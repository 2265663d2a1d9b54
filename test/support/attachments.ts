import type { DesiredAttachment } from '../../domain/host-protocol.ts';
import { AttachmentPolicy, type PermittedAttachment } from '../../host/attachment-policy.ts';
import { type CanonicalAddress, canonicalAddressSchema } from '../../host/canonical-address.ts';

/** An attachment as the agent hands it to its driver. Throws when no host may attach it. */
export function permitted(attachment: DesiredAttachment): PermittedAttachment {
  const { data, error } = new AttachmentPolicy().parse(attachment);
  if (data === undefined) throw error;
  return data;
}

/** An address as the agent hands it to its driver. */
export function canonical(address: string): CanonicalAddress {
  return canonicalAddressSchema.parse(address);
}
