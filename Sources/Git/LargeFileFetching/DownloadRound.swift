import GitModel
import LargeFiles
import Synchronization
import Upstreams
import WebClient

/// One attempt at contents: each is asked for, and what the server offers is downloaded, a few at once.
struct DownloadRound {
  private static let threadCountMax = 4

  let store: LargeFileStore
  let client: WebClient
  let mirror: Mirror
  let place: LargeFilePlace
  let branch: String
  private var server: LargeFileServer?

  init(
    store: LargeFileStore, client: WebClient, mirror: Mirror, place: LargeFilePlace, branch: String
  ) {
    (self.store, self.client, self.mirror) = (store, client, mirror)
    (self.place, self.branch) = (place, branch)
  }

  typealias Faults = [LargeFilePointer: FetchFault]

  /// What did not come, and why. Throws what concerns all of it, and does not pass.
  mutating func run(_ wanted: [LargeFilePointer]) throws(LargeFileFetchError) -> Faults {
    var faults: Faults = [:]
    // A server's word on how to download something ends after a while: it is not asked for all of it at once.
    for start in stride(from: 0, to: wanted.count, by: Batch.objectCountMax) {
      let batch = Array(wanted[start..<min(start + Batch.objectCountMax, wanted.count)])
      do throws(FetchFault) {
        try run(batch, &faults)
      } catch {
        guard error.isPassing else { throw error.error }
        for pointer in wanted[start...] { faults[pointer] = error }
        break
      }
    }
    return faults
  }

  private mutating func run(
    _ batch: [LargeFilePointer], _ faults: inout Faults
  ) throws(FetchFault) {
    guard let server = try current() else { return }
    let answers = try server.ask(for: batch, on: branch, with: client)
    var requests: [(pointer: LargeFilePointer, request: WebRequest)] = []
    for pointer in batch {
      do throws(FetchFault) {
        requests.append((pointer, try server.request(for: pointer, answers[pointer])))
      } catch {
        faults[pointer] = error
      }
    }
    let found = FoundFaults()
    let download = ContentDownload(store: store, client: client)
    SideBySide.run(requests, threadCountMax: Self.threadCountMax) { pointer, request in
      do throws(FetchFault) {
        try download.run(request, for: pointer)
      } catch {
        found.add(error, of: pointer)
      }
    }
    faults.merge(found.all) { $1 }
  }

  private mutating func current() throws(FetchFault) -> LargeFileServer? {
    if let server, !server.hasExpired { return server }
    do throws(LargeFileFetchError) {
      server = try LargeFileServer(at: place, of: mirror)
    } catch {
      throw FetchFault(error, isPassing: error.isPassing)
    }
    return server
  }

  private final class FoundFaults: Sendable {
    private let faults = Mutex<Faults>([:])

    func add(_ fault: FetchFault, of pointer: LargeFilePointer) {
      faults.withLock { $0[pointer] = fault }
    }

    var all: Faults { faults.withLock { $0 } }
  }
}
