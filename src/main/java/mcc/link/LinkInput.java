package mcc.link;

import mcc.core.Id;
import mcc.wire.Contact;
import mcc.wire.Message;

/** What other cores may ask of the links. */
public sealed interface LinkInput {
    /**
     * Ask {@code to}. Answered by {@link LinkOutput.Answered}, or by {@link LinkOutput.Unanswered} where the peer cannot be
     * reached; otherwise by nothing, so that the asker keeps a deadline of its own.
     *
     * @param call drawn by the asking core
     */
    record Ask(Contact to, long call, Message request) implements LinkInput {}

    /**
     * Answer what {@code to} asked.
     *
     * @param call as it came in {@link LinkOutput.Asked}
     */
    record Reply(Id to, long call, Message answer) implements LinkInput {}
}
