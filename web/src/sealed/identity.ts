// A tenant's identity from what a reader gives: the text of a key file, or an age file that a passphrase opens. It stays
// where it is read: in a worker.
import { armor, Decrypter } from "age-encryption";
import { Refused } from "./refused";

export const keyFileBytesMax = 1 << 20;
const identitiesMax = 64;

// The passphrase is wanted first.
export class NeedsPassphrase extends Error {}

export async function identitiesIn(file: Uint8Array, passphrase: string): Promise<string[]> {
    if (file.length > keyFileBytesMax) throw new Refused("This file is too large for a key.");
    const text = new TextDecoder().decode(file);
    const isArmored = text.trimStart().startsWith("-----BEGIN AGE ENCRYPTED FILE-----");
    if (!isArmored && !text.startsWith("age-encryption.org/v1")) return readIdentities(text);
    if (!passphrase) throw new NeedsPassphrase("This key file is protected: give its passphrase.");
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    let opened: Uint8Array;
    try {
        opened = await decrypter.decrypt(isArmored ? armor.decode(text.trim()) : file);
    } catch {
        throw new Refused("This passphrase does not open the key file.");
    }
    return readIdentities(new TextDecoder().decode(opened));
}

function readIdentities(text: string): string[] {
    const found: string[] = [];
    for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
        if (!line || line.startsWith("#")) continue;
        if (!/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/.test(line))
            throw new Refused("This is no age identity: a key begins with AGE-SECRET-KEY-1.");
        try {
            new Decrypter().addIdentity(line);
        } catch {
            throw new Refused("This age identity is not whole: a character of it is wrong.");
        }
        found.push(line);
    }
    if (!found.length) throw new Refused("There is no identity in this.");
    if (found.length > identitiesMax) throw new Refused("There are too many identities in this.");
    return found;
}
