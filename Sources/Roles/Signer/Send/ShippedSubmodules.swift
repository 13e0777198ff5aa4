import Foundation
import Git
import GitModel
import MessageFormat
import Patching
import Upstreams

/// What a message brings of submodules: their commits with all that these need, each object once.
struct SubmodulePack {
  let commitCount: Int
  let objects: [ObjectReference]
  private let sources: [ObjectID: ObjectDatabase]

  fileprivate init(
    _ commitCount: Int, _ objects: [ObjectReference], _ sources: [ObjectID: ObjectDatabase]
  ) {
    (self.commitCount, self.objects, self.sources) = (commitCount, objects, sources)
  }

  /// - Precondition: there is a commit.
  func stream() -> PackStream {
    let sources = sources
    return PackStream(objects) { (object: ObjectReference) throws(GitError) -> [UInt8] in
      guard let source = sources[object.id] else { throw .objectMissing(object.id) }
      return try source.read(object.id, object.kind)
    }
  }
}

/// Collects the submodules that a message must bring, and those inside them.
struct ShippedSubmodules {
  /// A repository, and where it comes from.
  private struct Origin {
    let repository: Repository
    let source: RepositorySource
  }

  private let limits: TreeLimits
  private var commits: Set<ObjectID> = []
  private var objects: [ObjectReference] = []
  private var sources: [ObjectID: ObjectDatabase] = [:]
  private var totals = TreeTotals()

  private init(_ limits: TreeLimits) { self.limits = limits }

  /// Of the submodules whose entries differ; `nil`: none does.
  ///
  /// Throws `SubmoduleAt` where one cannot be shipped.
  static func pack(
    from before: Snapshot?, to after: Snapshot, in repository: Repository,
    of source: RepositorySource, limits: TreeLimits
  ) throws -> SubmodulePack? {
    let changes = try repository.objects.submoduleChanges(from: before?.tree, to: after.tree)
    guard !changes.isEmpty else { return nil }
    var shipped = ShippedSubmodules(limits)
    try shipped.add(
      changes, of: after.tree, in: Origin(repository: repository, source: source),
      depth: 1, below: nil)
    return SubmodulePack(shipped.commits.count, shipped.objects, shipped.sources)
  }

  private mutating func add(
    _ changes: [TreeChange], of tree: ObjectID, in origin: Origin, depth: Int,
    below outer: TreePath?
  ) throws {
    let pinned = changes.filter { $0.new?.mode == .submodule }
    guard !pinned.isEmpty else { return }
    let top = outer ?? pinned[0].path
    guard depth <= SubmoduleList.depthMax else {
      throw SubmoduleAt(path: top, fault: .tooDeep(limit: SubmoduleList.depthMax))
    }
    let list: SubmoduleList
    do throws(SubmoduleListError) {
      list = try SubmoduleList(ofTree: tree, in: ObjectOverlay(over: origin.repository.objects))
    } catch {
      switch error {
      case .flaw(let flaw): throw SubmoduleAt(path: top, fault: .flaw(flaw))
      case .git(let error): throw error
      }
    }
    for change in pinned {
      guard let id = change.new?.id else { continue }
      let place = outer ?? change.path
      do {
        guard let entry = list.entries[change.path] else { throw SubmoduleFault.unnamed }
        let inner = try Self.origin(of: entry, at: id, in: origin)
        guard inner.repository.objects.contains(id) else {
          throw SubmoduleFault.commitMissing(id, repository: inner.source.text)
        }
        try add(id, from: inner, depth: depth, below: place)
      } catch let fault as SubmoduleFault {
        throw SubmoduleAt(path: place, fault: fault)
      }
    }
  }

  private mutating func add(
    _ id: ObjectID, from origin: Origin, depth: Int, below place: TreePath
  ) throws {
    let source = origin.repository
    let commit = try source.objects.commit(id)
    guard commits.insert(id).inserted else { return }
    guard commits.count <= Limits.submoduleCountMax else {
      throw SignerError.overLimit(
        what: "the number of submodules", limit: UInt64(Limits.submoduleCountMax),
        actual: UInt64(commits.count))
    }
    let size = try source.objects.totals(of: commit.tree, limits: limits)
    totals.byteCount += size.byteCount
    totals.pathCount += size.pathCount
    totals.pathByteCount += size.pathByteCount
    totals.directoryCount += size.directoryCount
    do throws(TreeExcess) {
      try totals.require(limits)
    } catch {
      throw GitError.treeOverLimit(error)
    }
    let needed =
      [ObjectReference(id: id, kind: .commit)]
      + (try source.objects.objects(of: commit.tree, notIn: nil))
    for object in needed where sources.updateValue(source.objects, forKey: object.id) == nil {
      objects.append(object)
    }
    try add(
      try source.objects.submoduleChanges(from: nil, to: commit.tree), of: commit.tree, in: origin,
      depth: depth + 1, below: place)
  }

  // MARK: - Where a submodule's objects are

  private static func origin(
    of entry: SubmoduleList.Entry, at commit: ObjectID, in outer: Origin
  ) throws -> Origin {
    switch outer.source {
    case .local: try local(entry, in: outer.repository)
    case .upstream(let place): try upstream(entry, at: commit, of: place)
    }
  }

  /// A mirror of its own, beside that of the repository that names it, and fetched with what that one is fetched with.
  private static func upstream(
    _ entry: SubmoduleList.Entry, at commit: ObjectID, of place: Mirror.Place
  ) throws -> Origin {
    let inner = Mirror.Place(
      try place.settings.forSubmodule(entry.url), below: place.directory)
    let mirror = Mirror(inner)
    if inner.isThere {
      let repository = try Repository(opening: inner.path)
      if repository.objects.contains(commit) {
        return Origin(repository: repository, source: .upstream(inner))
      }
    }
    try mirror.fetchAll()
    return Origin(repository: try Repository(opening: inner.path), source: .upstream(inner))
  }

  /// What git keeps below the repository that names it, or else a repository of this machine.
  private static func local(
    _ entry: SubmoduleList.Entry, in repository: Repository
  ) throws -> Origin {
    let name = String(decoding: entry.name.path.bytes, as: UTF8.self)
    let own = repository.commonDirectory + "modules/" + name
    guard let other = try path(of: entry.url, for: repository) else {
      if let kept = try kept(own) { return kept }
      throw SubmoduleFault.notHere(entry.name)
    }
    if let kept = try kept(own) { return kept }
    for candidate in [other, other + ".git"]
    where FileManager.default.fileExists(atPath: candidate) {
      return try origin(at: candidate)
    }
    throw SubmoduleFault.notHere(entry.name)
  }

  private static func kept(_ path: String) throws -> Origin? {
    guard FileManager.default.fileExists(atPath: path + "/HEAD") else { return nil }
    return Origin(
      repository: try Repository(openingGitDirectory: path), source: .local(path: path))
  }

  private static func origin(at path: String) throws -> Origin {
    Origin(repository: try Repository(opening: path), source: .local(path: path))
  }

  /// `nil`: it is not on this machine.
  private static func path(of url: String, for repository: Repository) throws -> String? {
    var text = url
    if url.hasPrefix("./") || url.hasPrefix("../") {
      // As git: from the repository's origin, or from itself where it has none.
      let origin = try repository.remoteURL("origin") ?? repository.path
      guard let base = localPath(origin) else { return nil }
      text = base + "/" + url
    }
    return localPath(text).map { URL(fileURLWithPath: $0).standardizedFileURL.path }
  }

  private static func localPath(_ url: String) -> String? {
    if url.hasPrefix("/") { return url }
    return url.hasPrefix("file:///") ? String(url.dropFirst("file://".count)) : nil
  }
}

/// A fault, and the submodule of the repository itself at which it was met.
struct SubmoduleAt: Error {
  let path: TreePath
  let fault: SubmoduleFault
}
