// The chain stanza of a segment's header, held against its footer (docs/formats/segment.md, "The chain stanza").
import type { Header } from "./age";
import { decodedPart } from "./bytes";
import type { Footer } from "./footer";
import { refuse } from "./refused";

export function checkChain(header: Header, footer: Footer) {
    const found = header.stanzas.filter(({ args }) => args[0] === "boatswain-chain");
    if (found.length === 0) return;
    if (found.length > 1) refuse("chain stanza: there are two");
    const [, hostPart = "", epochPart = "", number = "", previous = ""] = found[0]!.args;
    const [host, epoch] = [decodedPart(hostPart), decodedPart(epochPart)];
    if (host === null || epoch === null) refuse("chain stanza: a host or epoch that is not of the form");
    if (!/^[1-9]\d{0,9}$/.test(number)) refuse("chain stanza: a number that is not of the form");
    if (!/^(?:-|[0-9a-f]{64})$/.test(previous)) refuse("chain stanza: a predecessor that is not of the form");
    if (host !== footer.host) refuse("chain stanza: another host than the footer says");
    if (epoch !== footer.epoch) refuse("chain stanza: another epoch than the footer says");
    if (Number(number) !== footer.sequence) refuse("chain stanza: another number than the footer says");
    if ((previous === "-" ? "" : previous) !== footer.previous)
        refuse("chain stanza: another predecessor than the footer says");
}
