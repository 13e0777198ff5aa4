import Git
package import GitModel
import Host
package import LargeFiles
import Patching
package import Programs
import Spool
package import Upstreams
import WebClient

/// Brings contents of large files from an upstream into the store of its mirror. For a thread that may block.
package struct LargeFileFetch {
  /// Without anything that has come in between.
  private static let attemptCountMax = 3
  /// A content that grew by less counts as nothing.
  private static let progressByteCountMin: UInt64 = 1 << 20
  /// Who asks for a longer pause gets it from the caller, which comes again by itself.
  private static let pauseSecondsMax = 30.0
  private static let look: Duration = .milliseconds(200)

  private let mirror: Mirror
  private let stop: ProgramStop?
  private let bell = Bell()
  private let store: LargeFileStore

  /// `stop`: ends it, when the process ends.
  package init(_ place: Mirror.Place, stop: ProgramStop? = nil) {
    mirror = Mirror(place, stop: stop)
    self.stop = stop
    store = Self.store(of: place)
  }

  package static func store(of place: Mirror.Place) -> LargeFileStore {
    LargeFileStore(gitDirectory: place.path + "/")
  }

  package typealias Failures = [LargeFilePointer: LargeFileFetchError]

  /// What could not be brought, and why; the others are in the store then, each verified. `tree`: of the revision that
  /// needs them, on a branch of this full name.
  package func bring(
    _ pointers: [LargeFilePointer], for tree: ObjectID, on branch: String
  ) -> Failures {
    do throws(LargeFileFetchError) {
      let place = try LargeFilePlace(of: mirror, at: tree)
      do throws(LargeFileError) { try store.makeIncoming() } catch { throw .store(error) }
      return try working { () throws(LargeFileFetchError) in
        let wanted = try missing(of: pointers)
        if case .repository(let path) = place { return try copy(wanted, from: path) }
        return try download(wanted, from: place, on: branch)
      }
    } catch {
      return Dictionary(uniqueKeysWithValues: Set(pointers).map { ($0, error) })
    }
  }

  private func missing(
    of pointers: [LargeFilePointer]
  ) throws(LargeFileFetchError) -> [LargeFilePointer] {
    do throws(LargeFileError) {
      var missing: [LargeFilePointer] = []
      for pointer in pointers where try !store.contains(pointer) { missing.append(pointer) }
      return missing
    } catch {
      throw .store(error)
    }
  }

  /// One run at a time fills a store, of whichever process.
  private func working(
    _ body: () throws(LargeFileFetchError) -> Failures
  ) throws(LargeFileFetchError) -> Failures {
    let lock = try lock()
    let failures = try body()
    _ = consume lock
    return failures
  }

  private func lock() throws(LargeFileFetchError) -> DirectoryLock {
    while true {
      do throws(SpoolError) {
        return try DirectoryLock(store.root, waits: false)
      } catch {
        guard case .inUse = error else {
          throw .upstream(.mirrorUnusable(mirror: mirror.path, detail: "\(error)"))
        }
        guard stop?.isSet != true else { throw .stopped }
        bell.wait(for: Self.look)
      }
    }
  }

  // MARK: - Upkeep

  /// Removes what no message has needed for a while; returns how many bytes. Does nothing while something is brought. `now`:
  /// seconds of the wall clock.
  package func upkeep(
    at now: Int, _ bounds: LargeFileStore.Bounds = .init()
  ) throws(LargeFileFetchError) -> UInt64 {
    let lock: DirectoryLock
    do throws(SpoolError) {
      lock = try DirectoryLock(store.root, waits: false)
    } catch {
      if error == .inUse(path: store.root) || error.isNoSuchFile { return 0 }
      throw .upstream(.mirrorUnusable(mirror: mirror.path, detail: "\(error)"))
    }
    let byteCount: UInt64
    do throws(LargeFileError) {
      byteCount = try store.removeUnused(at: now, bounds)
    } catch {
      throw .store(error)
    }
    _ = consume lock
    return byteCount
  }

  // MARK: - From a repository of this machine

  private func copy(
    _ wanted: [LargeFilePointer], from path: String
  ) throws(LargeFileFetchError) -> Failures {
    let source: LargeFileStore
    do throws(GitError) {
      source = try Repository(opening: path).largeFiles
    } catch {
      throw .upstream(.git(error))
    }
    var failures: Failures = [:]
    for pointer in wanted {
      guard stop?.isSet != true else { throw .stopped }
      do throws(LargeFileError) {
        try store.copy(pointer, from: source)
      } catch {
        if case .missing(_, let directory) = error {
          failures[pointer] = .missing(pointer, directory: directory)
        } else {
          failures[pointer] = .store(error)
        }
      }
    }
    return failures
  }

  // MARK: - From a server

  private func download(
    _ wanted: [LargeFilePointer], from place: LargeFilePlace, on branch: String
  ) throws(LargeFileFetchError) -> Failures {
    guard !wanted.isEmpty else { return [:] }
    let settings = try mirror.settings.webSettings
    let client: WebClient
    do throws(WebError) {
      client = try WebClient(settings)
    } catch {
      throw .web(error)
    }
    let bell = bell
    let run = { () throws(LargeFileFetchError) -> Failures in
      try download(wanted, from: place, on: branch, with: client)
    }
    guard let stop else { return try run() }
    return try stop.whenSet(
      {
        client.stop()
        bell.ring()
      }, during: run)
  }

  private func download(
    _ wanted: [LargeFilePointer], from place: LargeFilePlace, on branch: String,
    with client: WebClient
  ) throws(LargeFileFetchError) -> Failures {
    var failures: Failures = [:]
    var open = wanted
    var attemptCount = 0
    var backoff = Backoff(first: .milliseconds(500), longest: .seconds(8), jitter: Backoff.random)
    while true {
      let before = try incomingByteCount(of: open)
      var round = DownloadRound(
        store: store, client: client, mirror: mirror, place: place, branch: branch)
      let faults = try round.run(open)
      for (pointer, fault) in faults where !fault.isPassing { failures[pointer] = fault.error }
      let passing = faults.filter(\.value.isPassing)
      let pause = passing.values.compactMap(\.pauseSeconds).max() ?? 0
      let grown = try incomingByteCount(of: open) > before + Self.progressByteCountMin
      attemptCount = faults.count < open.count || grown ? 1 : attemptCount + 1
      open = open.filter { passing[$0] != nil }
      if open.isEmpty { return failures }
      guard stop?.isSet != true else { throw .stopped }
      guard attemptCount < Self.attemptCountMax, pause <= Self.pauseSecondsMax else {
        return failures.merging(passing.mapValues { $0.last(pausing: pause) }) { $1 }
      }
      bell.wait(for: max(backoff.next(), .seconds(max(0, pause))))
    }
  }

  /// What has come of contents that are not whole.
  private func incomingByteCount(
    of pointers: [LargeFilePointer]
  ) throws(LargeFileFetchError) -> UInt64 {
    do throws(LargeFileError) {
      var count: UInt64 = 0
      for pointer in pointers { count += try store.incomingByteCount(of: pointer) }
      return count
    } catch {
      throw .store(error)
    }
  }
}
