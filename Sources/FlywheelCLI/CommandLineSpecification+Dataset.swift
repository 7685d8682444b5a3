import Arguments

/// Commands on dataset versions, and on labels in them.
extension CommandLineSpecification {
    static let dataset = CommandSpecification(
        "dataset",
        summary: "inspect dataset versions, and change labels",
        subcommands: [
            CommandSpecification(
                "log",
                summary: "list the sealed versions of a project, or the changes of its labels",
                options: connection + [
                    project, .flag("changes", help: "labels that were revised, retracted or moved instead"), json,
                ]
            ),
            change(
                "revise",
                summary: "let a label name another class",
                .option("to", "CLASS", help: "one of the project's classes", isRequired: true)
            ),
            change("retract", summary: "take a label out of all later versions"),
            change(
                "move",
                summary: "let a label belong to another split",
                .option(
                    "to",
                    "SPLIT",
                    help: "training or validation; test labels may move to training",
                    isRequired: true
                )
            ),
            CommandSpecification(
                "show",
                summary: "print a version's manifest",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "of the dataset versions: a folder, or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "its version number or id; the newest if left out",
                        isRequired: false
                    )
                ]
            ),
            CommandSpecification(
                "verify",
                summary: "check that a version's files are what its manifest says",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "of the dataset versions: a folder, or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "its version number or id; all if left out",
                        isRequired: false
                    )
                ]
            ),
            CommandSpecification(
                "gc",
                summary: "remove the files of versions that nothing needs",
                discussion: """
                    Keeps the newest version, those that champion, challenger, former champions, the newest model and studies
                    were made of, as the loop's state says, and everything younger than a day. Ids and version numbers stay, and the
                    log rebuilds nothing that was collected. Workers may run meanwhile.
                    """,
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "of the dataset versions: a folder, or s3://BUCKET/PREFIX"),
                    .flag("dry-run", help: "say what would go, and why, and remove nothing"), json,
                ]
            ),
            CommandSpecification(
                "pack",
                summary: "write a version's labels as few plain files beside it, for fast reading",
                options: connection + [
                    project,
                    .option("store", "PLACE", help: "of the dataset versions: a folder, or s3://BUCKET/PREFIX"),
                ],
                positionals: [
                    PositionalSpecification(
                        "version",
                        help: "its version number or id; the newest if left out",
                        isRequired: false
                    )
                ]
            ),
        ]
    )

    private static func change(
        _ name: String,
        summary: String,
        _ options: OptionSpecification...
    ) -> CommandSpecification {
        CommandSpecification(
            name,
            summary: summary,
            discussion: """
                By a command on the topic commands, in a project whose datasets.format is 2. The fact, with who and why, stands
                in the dataset log for ever; sealed versions stay as they are. Waits until the loop has carried it out; exits
                with 1 if it refused.
                """,
            options: connection + [
                project,
                .option("reason", "TEXT", help: "why, for people; at most 1,024 bytes", isRequired: true),
                .option("by", "NAME", help: "who wants it (default the user's name)"),
            ] + options,
            positionals: [PositionalSpecification("sample", help: "the sample's id")]
        )
    }
}
