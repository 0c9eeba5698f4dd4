use hostref::GcStruct;

#[derive(GcStruct)]
struct Job {
    #[gc(mutable)]
    new: u32,
}
