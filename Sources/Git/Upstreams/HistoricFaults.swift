/// What git-fsck(1) finds in commits and trees of old programs, that git clones and logs all the same, and that distro
/// carries: docs/message-format.md, "Commits and trees". Everything else that it finds is refused.
///
/// Two faults that distro would carry cannot be tolerated, since git lets nobody do that: a header that holds a NUL byte,
/// and one without an end.
enum HistoricFaults {
  static let names = [
    "badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "missingAuthor",
    "missingCommitter", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail", "multipleAuthors", "zeroPaddedDate", "nulInCommit", "badFilemode",
    "zeroPaddedFilemode", "treeNotSorted", "badTagName", "missingTaggerEntry",
  ]
}
