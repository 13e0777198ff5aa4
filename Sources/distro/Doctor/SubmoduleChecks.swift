import Git
import MessageFormat
import Signer

/// The submodules of the branches that are sent: what arrives of them.
struct SubmoduleChecks {
  private static let namedCountMax = 5

  let configured: SignerRepository

  func run(_ examination: inout Examination) {
    guard configured.submodules == .pin else { return }
    let subject = configured.source.text
    do {
      let paths = try paths().sorted()
      guard !paths.isEmpty else { return }
      let names = paths.prefix(Self.namedCountMax).joined(separator: ", ")
      let rest = paths.count - Self.namedCountMax
      examination.warn(
        .repository, subject,
        "submodules arrive without their files: \(names)" + (rest > 0 ? " and \(rest) more" : ""),
        do: "set 'submodules: ship' where machines need their files; docs/how-to/submodules.md")
    } catch {
      examination.fail(.repository, subject, error)
    }
  }

  /// Of all tips together; of a mirror, as they were at the last fetch.
  private func paths() throws -> Set<String> {
    let repository = try Repository(opening: configured.path)
    let objects = repository.objects
    var paths: Set<String> = []
    for tip in Set(try configured.branches.tips(in: repository).values) {
      let tree = try objects.commit(tip).tree
      // What is over the limits is never sent.
      _ = try objects.difference(from: nil, to: tree, limits: configured.limits)
      paths.formUnion(try objects.submoduleChanges(from: nil, to: tree).map { "\($0.path)" })
    }
    return paths
  }
}
