package mcc.nat;

/** Whether nodes that this one never sent anything to reach it. */
public enum Reachability {
    /** Not measured, or no longer. */
    UNKNOWN,
    /** One of them did, a moment ago. */
    YES,
    /** What they send is filtered, or goes to an address that peers cannot know. */
    NO
}
