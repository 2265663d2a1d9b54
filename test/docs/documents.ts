import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';

/** A Markdown file of the project, in parts that are checked in different ways. */
export interface DocumentText {
  /** From the top of the project. */
  path: string;
  /** Targets of its links, as they are written. */
  links: string[];
  /** The anchors of its headings, as GitHub makes them. */
  anchors: ReadonlySet<string>;
  /** What it has in backticks, and the lines of its code blocks. */
  code: string[];
}

/** README and the like, and everything in `docs/`. */
export function readDocuments(): DocumentText[] {
  const inFolder = (folder: string) =>
    readdirSync(join(PROJECT_FOLDER, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name));
  return [...inFolder('.'), ...inFolder('docs')].map(readDocument);
}

function readDocument(path: string): DocumentText {
  const text = readFileSync(join(PROJECT_FOLDER, path), 'utf8');
  const blocks: string[] = [];
  const prose = text.replace(/^ *```.*?^ *```$/gms, (block) => {
    blocks.push(...block.split('\n').slice(1, -1));
    return '';
  });
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  const withoutCode = prose.replace(/`[^`]+`/g, 'code');
  return {
    path,
    links: [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    anchors: anchorsOf(prose),
    code: [...inline, ...blocks],
  };
}

/** A heading that is there twice has `-1` behind its second anchor, and so on. */
function anchorsOf(prose: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}
