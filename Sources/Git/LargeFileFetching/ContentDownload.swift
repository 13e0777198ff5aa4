import GitModel
import LargeFiles
import WebClient

/// The way of one content into the store: what came of an earlier attempt goes on, and nothing gets its name there before its
/// SHA-256 was compared.
struct ContentDownload: Sendable {
  let store: LargeFileStore
  let client: WebClient

  func run(_ request: WebRequest, for pointer: LargeFilePointer) throws(FetchFault) {
    let start = try prepare(pointer)
    let host = request.address.host
    if start < pointer.byteCount {
      try download(request, for: pointer, from: start)
    }
    do throws(LargeFileError) {
      try store.take(store.incomingPath(of: pointer), as: pointer)
    } catch {
      guard case .otherContent = error else { throw FetchFault(.store(error)) }
      try drop(pointer)
      // What an earlier attempt left may be what was wrong.
      throw FetchFault(.otherContent(pointer, host: host), isPassing: start > 0)
    }
  }

  /// How much of it is there.
  private func prepare(_ pointer: LargeFilePointer) throws(FetchFault) -> UInt64 {
    do throws(LargeFileError) {
      let count = try store.incomingByteCount(of: pointer)
      guard count > pointer.byteCount else { return count }
      try store.dropIncoming(pointer)
      return 0
    } catch {
      throw FetchFault(.store(error))
    }
  }

  private func drop(_ pointer: LargeFilePointer) throws(FetchFault) {
    do throws(LargeFileError) {
      try store.dropIncoming(pointer)
    } catch {
      throw FetchFault(.store(error))
    }
  }

  private func download(
    _ request: WebRequest, for pointer: LargeFilePointer, from start: UInt64
  ) throws(FetchFault) {
    let host = request.address.host
    let response: WebResponse
    do throws(WebError) {
      response = try client.download(
        request, to: store.incomingPath(of: pointer), byteCountMax: pointer.byteCount,
        resuming: true)
    } catch {
      switch error {
      case .tooLarge:
        try drop(pointer)
        throw FetchFault(.otherContent(pointer, host: host))
      case .file(let path, let code):
        throw FetchFault(.store(.cannot(operation: "write", path: path, code: code)))
      default: throw FetchFault(of: error)
      }
    }
    guard !response.isSuccess else { return }
    // It has no such part.
    if response.status == 416 { try drop(pointer) }
    // A way that the server has named may have ended.
    let mayHaveEnded = [401, 403, 416].contains(response.status)
    throw FetchFault(
      .object(pointer, host: host, status: response.status, said: response.message),
      isPassing: mayHaveEnded || FetchFault.isPassing(response.status), response)
  }
}
